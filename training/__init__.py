"""How the small model `demo` was made: render songs, train, evaluate, export.

Not part of the wheel. Each step is one command (`python -m training.render` and so on), seeded and
resumable; README.md in this folder tells the whole way, and the licence of every source of sound.
"""
