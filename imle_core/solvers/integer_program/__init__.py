"""Linear and integer programs, and the files that state them."""
