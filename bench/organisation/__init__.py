"""An organisation's day against a GitHub that charges: what previewbot asks for, and what that costs.

Everything runs in one process under a clock that jumps to whatever comes next, so that a day takes minutes;
what is random is drawn from a seed, so that two runs of one programme are the same.
"""
