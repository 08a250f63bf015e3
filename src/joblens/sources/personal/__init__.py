"""Synthetic personal data in job adverts: to train the cleaner with, and to measure what it lets through.

People, numbers and addresses in it look real and are put together at random; nobody is meant. Everything has
two parts, `train` and `audit`, that share no name, no street and no employer.
"""
