"""Evolution of mirror maps: preference objectives whose ψ and φ⁻¹ are networks."""
