"""How does KuCoin speak, and how is it listened to?"""
