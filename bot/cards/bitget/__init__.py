"""What does Bitget say its own way, as far as cards must know?"""
