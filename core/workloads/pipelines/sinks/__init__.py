"""What pipelines write: tables of the warehouse and files, in the transaction of the run."""
