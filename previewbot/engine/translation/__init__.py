"""From what a configuration says to what a preview session has of its own: pure, nothing is refused here."""
