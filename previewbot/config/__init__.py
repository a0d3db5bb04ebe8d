"""What both configuration files share: a strict YAML reader, the words for mistakes, and types of values."""
