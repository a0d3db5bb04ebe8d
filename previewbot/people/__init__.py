"""Who somebody is who looks at a page, and what they may there: by GitHub, with their own token."""
