"""What a billion requests a day take: computed from what benchmarks measured, and assumptions."""
