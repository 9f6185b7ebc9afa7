"""From a table to a published model. Never imported by what serves."""
