"""The engine that runs previews, mirrord, and how reviewers get to them. Pure: JSON in, values out, and
back."""
