"""What can happen on the forge. REST, pages and pushes all come here; every act tells the hooks about itself."""
