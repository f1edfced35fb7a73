"""Pure decisions: values in, values out, the time an argument."""
