"""What all programs share: the wire, pictures, inference, tracking. It knows none of them."""
