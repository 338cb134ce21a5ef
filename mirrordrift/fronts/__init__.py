"""What a person gets of a distillation: files, tables, pictures."""
