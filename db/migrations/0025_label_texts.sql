-- What is known of the managed labels stands in repository_labels alone.

alter table repositories drop column label_texts;
