"""One form for what is written in many: names, dates, streets, sounds."""
