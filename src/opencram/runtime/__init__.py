"""What runs: `pipeline` ties the stages together (read it first), the rest feeds it and shows what comes out."""
