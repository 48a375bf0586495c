"""Code that is neither leukobench's nor installed: where it lies, what may be imported of it, and its digest."""
