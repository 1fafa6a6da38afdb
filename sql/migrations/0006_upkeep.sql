-- Wake-ups, statistics and retention
SELECT 1;
