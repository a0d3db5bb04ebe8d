"""What previewbot is made of: the base's digest, the list of what is in the image, known vulnerabilities.

For whoever builds and releases it; nothing of this is in the image.
"""
