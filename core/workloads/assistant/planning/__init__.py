"""The planner without a model. Pure: text and catalog in, an answer out."""
