"""How does Bitget speak, and how is it listened to?"""
