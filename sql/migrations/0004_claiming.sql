-- What claims are ruled by: limits, shares, order
SELECT 1;
