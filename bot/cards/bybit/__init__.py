"""What does Bybit say its own way, as far as cards must know?"""
