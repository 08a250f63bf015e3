"""Flows that take a model and data and give a better model. They are no stages of the pipeline."""
