"""What a person takes home: outputs, explanations, the report page."""
