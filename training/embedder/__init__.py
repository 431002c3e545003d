"""How the shipped sentence model was made: all-MiniLM-L6-v2 as one small ONNX file."""
