"""Every word that a person reads: templates, Markdown, durations."""
