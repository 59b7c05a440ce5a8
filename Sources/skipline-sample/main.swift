print("skipline")
