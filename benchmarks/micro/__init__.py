"""The parts of a prediction, each timed by itself."""
