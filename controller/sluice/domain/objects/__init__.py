"""What an API server does to an object, as pure functions: metadata rules, patches, selectors, field ownership."""
