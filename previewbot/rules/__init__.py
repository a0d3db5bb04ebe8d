"""Rules without I/O: who is an agent, what changed, what a comment asks for, who may have a preview."""
