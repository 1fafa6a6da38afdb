"""What pipelines read: files and tables, whole or what is new, as frames of declared types."""
