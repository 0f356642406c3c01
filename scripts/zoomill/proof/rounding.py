"""What rounding may change."""

# Largest relative difference of a float16, and the absolute one of numbers near 0: half a step of the smallest ones.
FLOAT16 = 2.0**-11, 2.0**-25
