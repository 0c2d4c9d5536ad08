"""What does Binance USDⓈ-M say its own way, as far as cards must know?"""
