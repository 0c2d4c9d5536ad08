"""What does KuCoin say its own way, as far as cards must know?"""
