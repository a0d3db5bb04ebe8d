"""What should be, and the next step towards it: rules that ask nothing. `planner.make_plan` puts them
together."""
