"""A team's own mirrord configuration, read as mirrord's CLI 3.250 reads it."""
