"""GitHub's deliveries: signature, which pull request, one poke. Nothing else of a delivery is believed."""
