"""The ultrasound picture and everything drawn on it."""
