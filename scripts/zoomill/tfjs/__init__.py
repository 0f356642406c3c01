"""TensorFlow.js models: converting, quantising and running them."""
