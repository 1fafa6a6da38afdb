"""What every benchmark uses: clocks, meters, databases of its own, tables of figures."""
