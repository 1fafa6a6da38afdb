"""What every run shares: settings, session, policy, stages as task runs, events, reports."""
