"""An inventory without a database: purchase and activity lines in, one fate a line out."""
