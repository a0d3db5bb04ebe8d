"""`previewbot doctor` and `previewbot explain`: what is wrong with an installation, or with a pull request.

They ask what the processes ask, with the same functions, and change nothing that stays. What an answer
means is decided in modules that ask nobody.
"""
