"""What does OKX say its own way, as far as cards must know?"""
