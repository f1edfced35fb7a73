"""What may be wrong with what people write, found before anything is published or run. Start with `definitions` for a
definition, `objects` for any object, `sets` for what only a look at several objects shows."""
