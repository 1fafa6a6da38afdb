"""What is written on invoices and bank lines: numbers, their forms in texts, names of payers."""
