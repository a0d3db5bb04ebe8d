"""`previewbot pictures`: looks at previews in a browser, before and after, and keeps what it saw for a while.

A process of its own, with an image of its own: it runs what a pull request made of a page. It knows neither
the cluster nor GitHub; the controller says what to look at, and pages fetches the pictures. Only this package
imports Playwright, which the extra `pictures` installs.
"""
