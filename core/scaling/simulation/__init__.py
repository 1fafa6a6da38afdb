"""What a rule of scaling would have cost: loads, a world of consumers that start, work and leave, rivals, a bound."""
