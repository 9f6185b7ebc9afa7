"""What goes into the product from elsewhere; what serves imports none of this."""
