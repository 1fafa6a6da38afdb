-- What submissions are ruled by: unique keys, delays, limits of depth
SELECT 1;
